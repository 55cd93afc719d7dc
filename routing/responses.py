"""The response: the first contact of a human with the customer. Only that stops the response clock."""

from __future__ import annotations

from routing.clocks.cycles import stamp_response, withdraw_response

__all__ = ["stamp_response", "withdraw_response"]
