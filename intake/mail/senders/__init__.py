"""Is the sender who they say? SPF, DKIM and DMARC, computed for mail that no relay of ours has checked."""
