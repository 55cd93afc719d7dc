"""Mail: from what arrived to a case, and the answers to it."""
