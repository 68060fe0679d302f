"""Windows of every schedule, against an independent calendar and in Airflow's timetable."""
