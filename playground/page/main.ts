import { startChat } from "./chat/chat.ts"
import { connectToPlayground } from "./client.ts"
import { startCode } from "./code.ts"
import { startMarket } from "./market/market.ts"
import { createPanels } from "./panels.ts"
import { startProof } from "./proof/proof.ts"
import { startStatus } from "./status.ts"

const connection = connectToPlayground()
const panels = createPanels()
startStatus(connection)
startCode()
startProof(connection)
startChat(connection.client, panels.countUnread)
startMarket(connection.client)
