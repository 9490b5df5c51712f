export {
  type Accepted,
  type CallDefinition,
  type CallErrors,
  type CallInput,
  type CallOutput,
  type Calls,
  type ChannelDefinition,
  channel,
  type Events,
  type Keep,
  type Loaded,
  type Payload,
  type Presence,
  type Published,
  type Received,
  type Sent,
  type Signals,
  type States,
} from "./channel.ts"
export {
  type ChannelDefinitions,
  type ChannelMatch,
  type Contract,
  contract,
  type Definitions,
} from "./contract.ts"
export { formatName, type Params } from "./pattern.ts"
export type { Issue, Schema, SchemaInput, SchemaOutput } from "./schema.ts"
