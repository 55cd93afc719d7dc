"""The ways in: how mail reaches us. Each hands over the bytes, and says that it has them only after the commit."""
