import { serveTabs } from "holdfast/tabs/worker"

serveTabs()
