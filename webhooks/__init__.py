"""Machines talk to us: verify, dedupe, act, record, answer, in that order, written once in ``webhooks.edge``."""
