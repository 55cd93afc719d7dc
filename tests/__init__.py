"""The tests. What they import stays, and making it is quicker while nobody looks for garbage (``tests.conftest``)."""

import gc

gc.disable()
