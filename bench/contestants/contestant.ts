import type { Buffer } from "node:buffer"

/** What is published: 128 bytes as JSON, see `message.ts`. */
export interface Message {
  readonly id: number
  readonly text: string
}

/** A contestant's server, as the measured process runs it. */
export interface ContestantServer {
  readonly port: number
  /** Publishes to every subscriber. A rejected promise ends the run. */
  readonly publish: (message: Message) => unknown
}

export interface ServerModule {
  /** Listens on a free port of 127.0.0.1. */
  readonly start: () => Promise<ContestantServer>
}

/** What a raw subscriber has to say to a contestant's server, frame by frame. */
export interface SubscriberScript {
  /** The target of the HTTP request that asks for the upgrade. */
  readonly path: string
  readonly subprotocol?: string
  /** The frame to send once the WebSocket is open. */
  readonly greeting?: Buffer
  /** Whether there is nothing more to say: what is published is delivered from the moment on that the WebSocket is open. */
  readonly readyWhenOpen?: boolean
  /** Once it is ready, frames from so many bytes on are only counted. Default: as many as a message has. */
  readonly countedBytesMin?: number
  /** Takes a frame that is no published message, and answers with what it means. */
  readonly handleFrame: (payload: Buffer) => ScriptStep
}

export interface ScriptStep {
  /** A frame to send back. */
  readonly reply?: Buffer
  /** From now on everything published is delivered. */
  readonly ready?: boolean
}

export interface SubscriberModule {
  /** A script for one subscriber. */
  readonly script: () => SubscriberScript
  /** Subscribes through the contestant's own client library, which reads the contents. */
  readonly subscribe: (port: number, handleMessage: (message: unknown) => void) => Promise<void>
}
