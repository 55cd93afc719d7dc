"""What was promised, who acts, by when, and was it kept. Decisions here are pure: facts and an instant go in."""
