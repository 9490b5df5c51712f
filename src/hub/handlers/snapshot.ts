import type { Schema } from "../../contract/index.ts"
import { payloadIn } from "../../protocol/body.ts"
import type { EncodedValue } from "../../protocol/encoded-value.ts"
import type { Target } from "../channel/target.ts"
import type { Limits } from "../limits.ts"
import { bodyOf } from "../publish/payload.ts"
import type { Application } from "./application.ts"
import type { HandlerDeadline, HandlerRun } from "./handler-deadline.ts"

export interface SnapshotHandlerPorts {
  readonly application: Application
  readonly deadline: HandlerDeadline
  readonly limits: Limits
}

/** Loads what the server's own code gives new subscribers. */
export class SnapshotHandler {
  readonly #ports: SnapshotHandlerPorts

  constructor(ports: SnapshotHandlerPorts) {
    this.#ports = ports
  }

  /** @throws what the loader throws, and HoldfastError when its value does not fit the contract, or is too large */
  async load(target: Target): Promise<EncodedValue> {
    return this.#ports.deadline.run(`snapshot of ${target.name}`, (run) => this.#load(target, run))
  }

  async #load(target: Target, run: HandlerRun): Promise<EncodedValue> {
    const { application, limits } = this.#ports
    const value = await application.load(target, run)
    const schema = target.match.definition.snapshot as Schema
    const bytesMax = limits.snapshotBytesMax
    return payloadIn(await bodyOf(`snapshot of ${target.name}`, schema, value, { bytesMax }))
  }
}
