"""Where backups lie: a folder of this machine, an S3-compatible bucket. Talks only; knows no Django, rows or people."""
