export { type LogCheck, type LogContractOptions, type LogUnderTest, logContract } from "./log-contract.ts"
