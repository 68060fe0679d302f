"""The filters of an export: config, date ranges, and the row filter in Arrow."""
