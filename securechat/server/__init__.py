"""The bridge between the rooms: sequencer, password checking, wiring, start and stop."""
