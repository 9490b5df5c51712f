/** What is traded at the harbour. None of it exists. */
export const symbols = [
  { symbol: "KELP", name: "Kelp Farms", open: 48.2 },
  { symbol: "TIDE", name: "Tidal Power", open: 112.4 },
  { symbol: "BUOY", name: "Buoyant Logistics", open: 31.75 },
  { symbol: "REEF", name: "Reef Optics", open: 204.1 },
  { symbol: "GULL", name: "Gull Couriers", open: 17.36 },
  { symbol: "SALT", name: "Salt & Co", open: 66.9 },
  { symbol: "COVE", name: "Cove Hotels", open: 89.55 },
] as const
