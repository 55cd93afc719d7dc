"""What a customer is told of a case unasked: that it is open, and who has it. Each once, by text or by mail."""
