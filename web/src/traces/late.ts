/** Milliseconds after its end in which a trace may grow: SDKs send what they have every 5 seconds or so. */
export const LATE = 60_000;
