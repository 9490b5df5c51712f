import type { IncomingMessage, ServerResponse } from "node:http"
import type { Contract } from "../../contract/index.ts"
import type { HubCore } from "../../hub/hub.ts"
import type { DrainOptions } from "../drain.ts"
import type { Health, HealthPaths } from "../http/health.ts"
import type { ServerLimits } from "../limits.ts"
import type { RawHandler, RawOptions } from "../raw/raw-upgrade.ts"
import type { UpgradeServer } from "./upgrade-routes.ts"

/** Where clients find a hub's WebSockets unless it is said otherwise. */
export const DEFAULT_PATH = "/holdfast"

export interface ListenOptions {
  /** 0 for any that is free. */
  readonly port: number
  /** Default: `127.0.0.1`, this machine only. `0.0.0.0` and `::` are for everybody. */
  readonly host?: string | undefined
  /** Default: `/holdfast`. */
  readonly path?: string | undefined
  /** Where the server says how it is. Default: `/healthz` and `/readyz`. `false`: nowhere. */
  readonly health?: HealthPaths | false | undefined
}

export interface Listening {
  readonly port: number
  /** Where a client on this machine finds the hub, such as `ws://127.0.0.1:8080/holdfast`. */
  readonly url: string
}

/** A hub on Node: its channels and connections, and the servers at which it takes WebSockets. */
export interface Hub<C extends Contract, User>
  extends Omit<HubCore<C, User>, "connect" | "limits" | "logFailure" | "handOverMembers" | "hasElsewhere"> {
  readonly limits: ServerLimits
  /** Starts an HTTP server of its own. @throws TypeError when the port is none; what listening fails with, such as EADDRINUSE. */
  readonly listen: (options: ListenOptions) => Promise<Listening>
  /**
   * Takes WebSockets at `path` (default `/holdfast`) of a server that exists: of node:http, node:https, or what Express,
   * Fastify, Hono and others run on. Other paths, and other listeners of `upgrade`, are left alone.
   * @throws Error when the path is taken, TypeError when it is no server.
   */
  readonly attach: (server: UpgradeServer, options?: { readonly path?: string | undefined }) => void
  /**
   * Answers a plain HTTP request if it is for one of the hub's addresses, `/events`, `/poll` and `/send` below `path`
   * (default `/holdfast`), and returns true. Returns false, and touches nothing, when it is not. For servers that the hub
   * is attached to: to be called first in their request handler, before anything reads the body.
   */
  readonly handle: (
    request: IncomingMessage,
    response: ServerResponse,
    options?: { readonly path?: string | undefined },
  ) => boolean
  /** Whether this node should be sent clients. */
  readonly health: () => Health
  /**
   * Answers a request that asks how the node is, at `/healthz` or `/readyz`, or where `paths` says, and returns true. Returns
   * false, and touches nothing, when it is another request. For servers that the hub is attached to.
   */
  readonly handleHealth: (request: IncomingMessage, response: ServerResponse, paths?: HealthPaths) => boolean
  /**
   * Says that it is not ready, refuses new connections, tells the clients to come back, spread over some time, serves each until
   * it is at another node, and then closes. Can be called once; later calls get the same promise.
   * @throws HoldfastError `timeout` when it takes longer than `deadlineMs`; what closing the log fails with
   */
  readonly drain: (options?: DrainOptions) => Promise<void>
  /**
   * Takes plain WebSockets, text and binary, without Holdfast's protocol, at `path` of every server of this hub.
   * @throws Error when the path is taken.
   */
  readonly raw: (path: string, handler: RawHandler, options?: RawOptions) => void
  /**
   * Refuses new connections, tells the clients to come back, closes in an orderly way, and cuts who does not answer in
   * time. Resolves when all are gone, the log is closed, and so are the servers that `listen` made.
   * @throws what closing the log fails with; the rest is closed all the same.
   */
  readonly close: () => Promise<void>
}
