import { launchChromium } from "./chromium.ts"
import { launchFirefox } from "./firefox.ts"
import { launchWebkit } from "./webkit.ts"

/** What the tests need of a browser, whoever makes it. Each origin is a fresh one, so no profile is cleared in between. */
export interface TestBrowser {
  /** Opens a page in a tab of its own. Resolves when it is loaded. */
  readonly open: (url: string) => Promise<TestPage>
  readonly close: () => Promise<void>
}

export interface TestPage {
  /** The value of an expression in the page; of a promise, what it resolves with. */
  readonly evaluate: <T>(expression: string) => Promise<T>
  readonly reload: () => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * The browsers, and the programs that each of them takes. `keepsPages`: one that is left with an open WebSocket is put away as it
 * is, and shown again as it was.
 */
export const browsers = [
  { name: "Chromium", programs: ["chromium"], keepsPages: true, launch: launchChromium },
  { name: "Firefox", programs: ["firefox"], keepsPages: false, launch: launchFirefox },
  {
    name: "WebKit",
    programs: ["webkit-driver", "minibrowser", "xvfb"],
    keepsPages: true,
    launch: launchWebkit,
  },
] as const
