// Imported for its effect: ends this process, as SIGTERM would, when the one that started it is gone.
//
// npm starts a script through a shell, and a shell that is ended by a signal takes nobody along; whoever is killed with
// SIGKILL does not either. Without this, a server would live on and keep its port.
const CHECK_INTERVAL_MS = 500

const parent = process.ppid
const timer = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(timer)
  process.kill(process.pid, "SIGTERM")
}, CHECK_INTERVAL_MS)
timer.unref()
