"""A job's log as a text file, the same for page and API."""

from jobs.models import Job


def log_text(job: Job) -> str:
    """Lines of "TIME TEXT", the time in RFC 3339. As long as a job's log may be: see LOG_LINES_AT_MOST in jobs.run."""
    return "".join(f"{line.time.isoformat(timespec='milliseconds')} {line.text}\n" for line in job.lines.all())
