import type { CallDefinition, ChannelDefinition, channel, contract, Keep } from "holdfast"
import type { CallOptions, ChannelOptions, ConnectOptions, PublishOptions } from "holdfast/client"
import type { LmdbLogOptions } from "holdfast/lmdb"
import type { DurableOutboxOptions } from "holdfast/outbox"
import type { EventsOptions, HooksOptions, SignalOptions } from "holdfast/react"
import type { RedisLogOptions } from "holdfast/redis"
import type {
  ChannelHandlers,
  CompressionOptions,
  CreateHubOptions,
  DrainOnSignalsOptions,
  DrainOptions,
  HealthPaths,
  HubOptions,
  ListenOptions,
  MemoryLogOptions,
  RawOptions,
  PublishOptions as ServerPublishOptions,
  WorkersOptions,
} from "holdfast/server"
import type { SharedTabsOptions } from "holdfast/tabs"
import type { ServeTabsOptions } from "holdfast/tabs/worker"
import type {
  LogContractOptions,
  LogUnderTest,
  TransportOptions,
  WorldConnectOptions,
  WorldOptions,
} from "holdfast/testing"
import type { z } from "zod"

// Compiled under exactOptionalPropertyTypes: an option that may be left out may be undefined too, also inside of others.

type Leaf = string | number | boolean | bigint | symbol | null | undefined | ((...given: never) => unknown)
/** Objects that the user brings, and which are no options of ours. */
type Brought =
  | { readonly "~standard": unknown }
  | { readonly encode: unknown }
  | { readonly append: unknown }
  | { readonly open: unknown }

/** The paths of options that may be left out and may not be undefined. */
type Exact<T, Path extends string = "", Depth extends 1[] = []> = Depth["length"] extends 4
  ? never
  : T extends Leaf | Brought | readonly unknown[]
    ? never
    : {
        [Name in keyof T & string]-?:
          | (string extends Name
              ? never
              : Record<never, never> extends Pick<T, Name>
                ? undefined extends Required<Pick<T, Name>>[Name]
                  ? never
                  : `${Path}${Name}`
                : never)
          | Exact<NonNullable<T[Name]>, `${Path}${Name}.`, [...Depth, 1]>
      }[keyof T & string]

type Text = z.ZodString
type App = ReturnType<
  typeof contract<{
    readonly "room/:room": ReturnType<
      typeof channel<{
        readonly events: { readonly said: Text }
        readonly state: { readonly topic: Text }
        readonly presence: Text
        readonly signals: { readonly typing: Text }
        readonly snapshot: Text
        readonly calls: { readonly ask: { readonly input: Text; readonly output: Text } }
      }>
    >
  }>
>

/** Each has to be `never`. */
declare const exact: {
  readonly CallDefinition: Exact<CallDefinition>
  readonly ChannelDefinition: Exact<ChannelDefinition>
  readonly Keep: Exact<Keep>
  readonly CallOptions: Exact<CallOptions>
  readonly ChannelOptions: Exact<ChannelOptions>
  readonly ConnectOptions: Exact<ConnectOptions>
  readonly PublishOptions: Exact<PublishOptions>
  readonly LmdbLogOptions: Exact<LmdbLogOptions>
  readonly DurableOutboxOptions: Exact<DurableOutboxOptions>
  readonly EventsOptions: Exact<EventsOptions>
  readonly HooksOptions: Exact<HooksOptions>
  readonly SignalOptions: Exact<SignalOptions>
  readonly RedisLogOptions: Exact<RedisLogOptions>
  readonly ChannelHandlers: Exact<
    ChannelHandlers<App["channels"]["room/:room"], "room/:room", { readonly id: string }>
  >
  readonly CompressionOptions: Exact<CompressionOptions>
  readonly CreateHubOptions: Exact<CreateHubOptions<App, { readonly id: string }>>
  readonly DrainOnSignalsOptions: Exact<DrainOnSignalsOptions>
  readonly DrainOptions: Exact<DrainOptions>
  readonly HealthPaths: Exact<HealthPaths>
  readonly HubOptions: Exact<HubOptions<App, { readonly id: string }>>
  readonly ListenOptions: Exact<ListenOptions>
  readonly MemoryLogOptions: Exact<MemoryLogOptions>
  readonly RawOptions: Exact<RawOptions>
  readonly ServerPublishOptions: Exact<ServerPublishOptions>
  readonly WorkersOptions: Exact<WorkersOptions>
  readonly SharedTabsOptions: Exact<SharedTabsOptions>
  readonly ServeTabsOptions: Exact<ServeTabsOptions>
  readonly LogContractOptions: Exact<LogContractOptions>
  readonly LogUnderTest: Exact<LogUnderTest>
  readonly TransportOptions: Exact<TransportOptions>
  readonly WorldConnectOptions: Exact<WorldConnectOptions>
  readonly WorldOptions: Exact<WorldOptions<App, { readonly id: string }>>
}
exact satisfies Readonly<Record<string, never>>

// the check sees what it is for
declare const planted: Exact<{ readonly a?: { readonly b?: number } | undefined; readonly c?: string }>
planted satisfies "a.b" | "c"
// @ts-expect-error both are found
planted satisfies "c"
