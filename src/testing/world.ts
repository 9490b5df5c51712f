import { type Client, type ConnectOptions, connect } from "../client/connect.ts"
import type { Contract } from "../contract/index.ts"
import type { HubOptions } from "../hub/api/options.ts"
import { createHubCore, type HubCore } from "../hub/hub.ts"
import type { Log } from "../log/log.ts"
import { memoryLog } from "../logs/memory/index.ts"
import { type TestNetwork, testNetwork } from "./network.ts"
import { testProcess } from "./process.ts"
import { type Seeded, seeded } from "./seeded.ts"
import { type VirtualClock, virtualClock } from "./virtual-clock.ts"

export interface WorldOptions<C extends Contract, User> extends HubOptions<C, User, unknown> {
  /** Everything that is drawn at random comes from it, so a run repeats. Default: 1. */
  readonly seed?: number | undefined
}

export interface WorldConnectOptions extends ConnectOptions {
  /** Names the client's lines, as in `network.lines("ada")`. Default: `client-1` and so on. */
  readonly name?: string | undefined
}

/** A hub, a network and clients on one virtual clock: no port, no waiting, and the same run each time. */
export interface World<C extends Contract, User> {
  readonly clock: VirtualClock
  readonly network: TestNetwork
  /** Chance that repeats, for the test's own use. */
  readonly random: Seeded
  readonly log: Log
  /** The hub that runs now. */
  readonly hub: HubCore<C, User>
  readonly connect: (options?: WorldConnectOptions) => Client<C>
  /** The hub ends as in a crash: lines are cut, nothing is told to anybody, what it held in memory is gone. */
  readonly crash: () => void
  /** Starts another hub on the same log, as after a crash or a deploy. Crashes the one that runs, if it does. */
  readonly restart: () => void
}

const HOST = "hub"

/**
 * Makes a world for the hub that `createHub` would make of the same contract and options.
 *
 * ```ts
 * const { clock, hub, connect } = testWorld(app, { channels })
 * const ada = connect()
 * await clock.run(ada.channel("room/:room", { room: "lobby" }).publish("said", { text: "hello" }))
 * ```
 */
export function testWorld<C extends Contract, User = undefined>(
  contract: C,
  { seed = 1, ...options }: WorldOptions<C, User> = {},
): World<C, User> {
  const random = seeded(seed)
  const clock = virtualClock()
  const network = testNetwork(clock)
  const log = options.log ?? memoryLog({ epoch: random.uniqueId() })
  const start = () => {
    const process = testProcess({ clock, log })
    const ports = { clock: process.clock, log: process.log, entropy: random.fork() }
    const hub = createHubCore<C, User, unknown>(contract, options, ports)
    network.serve(HOST, hub)
    return { hub, kill: process.kill }
  }
  let running = start()
  let clients = 0
  const crash = () => {
    running.kill()
    network.fail(HOST)
  }
  return {
    clock,
    network,
    random: random.fork(),
    log,
    get hub() {
      return running.hub
    },
    connect: ({ name = `client-${++clients}`, ...connectOptions } = {}) =>
      connect<C>(`sim://${HOST}`, {
        clock,
        entropy: random.fork(),
        transport: network.transport(name, connectOptions),
        ...connectOptions,
      }),
    crash,
    restart: () => {
      crash()
      running = start()
    },
  }
}
