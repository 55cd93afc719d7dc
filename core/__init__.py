"""Nouns and plumbing: settings, database, shared models, due work, clock, audio, Twilio. Decides nothing."""
