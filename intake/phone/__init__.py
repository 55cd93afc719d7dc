"""The phone call: a pure table of states, and the thin shell that keeps its state and does what it says."""
