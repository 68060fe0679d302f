"""When an export runs: daily, weekly, monthly, hourly and cron schedules, and the windows between their firings."""
