"""Response clocks: what was promised for each cycle of a case, when it was answered, and the verdict.

A cycle begins with a contact and ends with a human's answer. ``states`` says what may follow what, ``promise``
what is promised, ``rules`` what counts as an answer, ``proof`` recomputes a stored verdict: all of them pure.
``cycles`` and ``breach`` write, ``report`` counts.
"""
