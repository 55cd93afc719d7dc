"""Drills: before a shift begins its engineer gets a test page, which must be acknowledged like a real one.

``rules`` is the part of the policy and says when (pure), ``planning`` begins drills and ends them, ``calls`` is the
menu of the test call.
"""
