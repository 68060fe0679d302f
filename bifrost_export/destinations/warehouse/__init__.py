"""What every warehouse does the same way: stage, temporary table, lock, audit rows, one transaction."""
