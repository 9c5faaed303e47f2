"""A flow of as many tasks as the first argument says, run by the real client. Run as a program."""
import sys

from prefect import flow, task


@task
def add(number):
    return number + 1


@flow
def many(count: int):
    return add.map(list(range(count)))


if __name__ == "__main__":
    many(int(sys.argv[1]))
