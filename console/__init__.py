"""People talk to us: pages and the ``nightbell`` command."""
