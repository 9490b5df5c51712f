/** µs of the machine's monotonic clock: the same in all processes of this machine, so a time may travel. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + nanoseconds / 1e3
}

/** µs of CPU that this process has used, in its own code and in the kernel's for it. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
