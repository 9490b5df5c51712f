// A server that drains on signals:  draining-server.ts [fail]
import { channel, contract } from "holdfast"
import { createHub, drainOnSignals, memoryLog } from "holdfast/server"

const log = memoryLog()
const close = process.argv[2] === "fail" ? () => Promise.reject(new Error("the disk is gone")) : log.close

const hub = createHub(contract({ room: channel({ signals: {} }) }), { log: { ...log, close } })
const { url } = await hub.listen({ port: 0 })
drainOnSignals(hub)
console.log(`listening at ${url}`)
