"""A phone company on your desk: a small Twilio for a machine without one.

It signs and sends webhooks, runs the TwiML that comes back, serves Twilio's REST API to the unmodified
client, and has a telephone for every outside number. One engine, two uses: ``python -m simulator`` in real
time beside the product, and ``PhoneCompany`` in a test, in virtual time (see ``simulator.company``).
It imports nothing of the product, and the product imports nothing of it.
"""
