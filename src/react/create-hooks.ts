import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react"
import type { ChannelOptions, Client } from "../client/index.ts"
import type { Contract, Definitions } from "../contract/index.ts"
import { formatName, type Params } from "../contract/pattern.ts"
import { BINDING, type ChannelHandle, channelHandle } from "./channel-handle.ts"
import { CONNECTION_AT_FIRST, type ConnectionInfo, type OpenChannel, Source } from "./source.ts"
import { platformTiming } from "./timing.ts"

export interface HooksOptions {
  /** How long a channel, or the connection, is kept when no component uses it any more, in ms. Default 1,000. */
  readonly lingerMs?: number | undefined
}

export interface ProviderProps<C extends Contract> {
  /** Makes the client, once: when the provider is mounted. To have another one, give the provider another `key`. */
  readonly connect: () => Client<C>
  readonly children?: ReactNode | undefined
}

type ChannelArguments<P extends string> = keyof Params<P> extends never
  ? [params?: Record<string, never>, options?: ChannelOptions]
  : [params: Params<P>, options?: ChannelOptions]

/** What depends on the contract. */
export interface Hooks<C extends Contract> {
  /** Has a client of its own for the components in it, which is closed some time after it was unmounted. */
  readonly HoldfastProvider: (props: ProviderProps<C>) => ReactNode
  /**
   * The channel for a pattern of the contract with its parameters filled in, for the other hooks and for what is sent. The
   * same one as long as the name is the same; `options` count for the first component that uses it.
   * @throws TypeError when a parameter is missing or empty
   */
  readonly useChannel: <P extends keyof Definitions<C> & string>(
    pattern: P,
    ...rest: ChannelArguments<P>
  ) => ChannelHandle<Definitions<C>[P]>
  /** How the connection stands, and how to give it up and come back at once. */
  readonly useConnection: () => Connection
}

export interface Connection extends ConnectionInfo {
  readonly reconnect: () => void
}

const LINGER_MS = 1_000

/**
 * Makes the hooks of a contract, as in `createHooks(() => connect<typeof app>("/holdfast"))`. `connect` is called when the
 * first component that uses a hook is mounted, never on a server; the client is closed some time after the last of them is
 * gone. Without it, or to have another client, components are wrapped in `HoldfastProvider`.
 */
export function createHooks<C extends Contract>(
  connect: () => Client<C> = missing,
  { lingerMs = LINGER_MS }: HooksOptions = {},
): Hooks<C> {
  const sourceOf = (connect: () => Client<C>) =>
    new Source(connect as () => Client<Contract>, { timing: platformTiming, lingerMs })
  const Place = createContext(sourceOf(connect))

  return {
    // biome-ignore lint/correctness/noComponentHookFactories: called once per contract, where a module begins
    HoldfastProvider: ({ connect, children }) => {
      const [source] = useState(() => sourceOf(connect))
      useEffect(() => source.use(), [source])
      return createElement(Place.Provider, { value: source }, children)
    },
    useChannel: (pattern, ...[params, options]) => {
      const source = useContext(Place)
      const name = formatName(pattern, params ?? {})
      // biome-ignore lint/correctness/useExhaustiveDependencies: the name stands for its parameters; options count once
      const handle = useMemo(() => {
        const open = (client: Client<C>) => client.channel(pattern, ...([params, options] as never))
        return channelHandle(source, name, open as unknown as OpenChannel)
      }, [source, name])
      useEffect(() => handle[BINDING].hold(() => () => {}), [handle])
      return handle as never
    },
    useConnection: () => {
      const source = useContext(Place)
      const info = useSyncExternalStore(
        source.watchConnection,
        () => source.connection.value,
        () => CONNECTION_AT_FIRST,
      )
      return useMemo(() => ({ ...info, reconnect: () => source.client?.reconnect() }), [source, info])
    },
  }
}

function missing(): never {
  throw new TypeError("No client: give createHooks a function that connects, or wrap in HoldfastProvider")
}
