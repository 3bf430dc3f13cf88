"""Bytes to meaning and back: framing, messages, names, numerics, capabilities, SASL. Pure."""
