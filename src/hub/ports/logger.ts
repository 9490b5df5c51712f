/** Where the hub reports what its operator should know. `fields` are for machines. */
export interface Logger {
  readonly warn: (text: string, fields: Readonly<Record<string, unknown>>) => void
  readonly error: (text: string, fields: Readonly<Record<string, unknown>>) => void
}
