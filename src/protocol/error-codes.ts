/**
 * Every error code of Holdfast, with the sentence that says what it means. Codes are stable; texts may improve.
 * `docs/errors.md` lists them with what to do. Apart from `HoldfastError`, for a browser has no use for most of them.
 */
export const errorCodes = {
  invalid_message: "The message is not what the protocol allows at this place.",
  message_too_large: "The message is larger than the limit.",
  invalid_request: "The HTTP request is not what the address takes.",
  method_not_allowed: "The address does not take this HTTP method.",
  unsupported_media_type: "The body of the HTTP request is not JSON.",
  hello_expected: "The first message of a connection has to be hello.",
  unauthorized: "The server refused the token.",
  token_expired: "The token has expired and was not replaced in time.",
  not_allowed: "The server does not allow this.",
  superseded: "The client has asked for something else in this presence with a higher version.",
  version_ahead: "The version is more than a minute ahead of the server's clock.",
  revoked: "The server has taken the permission to subscribe and to be present away.",
  unknown_channel: "No channel of the contract has a pattern that matches this name.",
  unknown_name: "The channel does not declare this event, state, signal or call.",
  invalid_payload: "The payload fails the schema of the contract.",
  invalid_value:
    "The value cannot travel: it is none of null, boolean, finite number, string, bytes, array or plain object.",
  idempotency_conflict: "The idempotency key was used before with other content.",
  too_many_subscriptions: "The connection has as many subscriptions as one connection may have.",
  too_many_connections: "The server has as many connections and open requests as it may have.",
  log_unavailable: "The log cannot take entries at the moment. Nothing was published.",
  log_full: "The log has no space left. Nothing was published.",
  quota_exceeded: "The user has as many of these as one user may have. Nothing was published.",
  log_in_use: "Another process writes to this log.",
  log_not_shared: "Several workers share this server, and each would have a log of its own.",
  log_unusable:
    "What is there cannot be used as a log: it is something else, damaged, or of another version.",
  handler_failed: "The server's handler failed. The server's log says why.",
  handler_timeout: "The server's handler took longer than it may. Nothing of it is published.",
  timeout: "There was no answer within the deadline.",
  outbox_full: "The client keeps as many unacknowledged messages as it may keep.",
  in_doubt: "It was sent, and whether it was published is not known. It is not sent again.",
  storage_failed: "The browser's storage did not keep what was published. It goes out all the same.",
  connection_lost: "The connection was lost before the answer came.",
  buffer_full: "The iterator holds as many events as it may hold, and they were not taken.",
  disconnected: "The server has ended the connection for good.",
  closed: "The client, or the hub, was closed.",
} as const

export type ErrorCode = keyof typeof errorCodes
