"""The pipeline in Airflow's clothes: DAGs made from a document, their tasks, their timetable and their pages."""
