export { type SharedTabsOptions, sharedTabs } from "./shared-tabs.ts"
