"""The rosters of the day: the policy's schedules, what people changed on top of them, and calendars in and out."""
