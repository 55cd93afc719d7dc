"""A post office on your desk: mailboxes for the world's people, and SMTP with the product in both directions."""
