"""`python -m bounced`: the same as the command `bounced`."""

from bounced.cli import main

if __name__ == "__main__":
    main()
