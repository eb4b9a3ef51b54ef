# Every target is a verb of tasks.py, which also works without make: python3 tasks.py help
# PYTHON=python3.12 picks the interpreter; ARGS="-k lineage" is handed on.

RUN = @$(or $(PYTHON),python3) tasks.py $@ $(ARGS)

.DEFAULT_GOAL = help
.PHONY: demo test test-peers test-faults lint frontend lock clean help

demo:
	$(RUN)
test:
	$(RUN)
test-peers:
	$(RUN)
test-faults:
	$(RUN)
lint:
	$(RUN)
frontend:
	$(RUN)
lock:
	$(RUN)
clean:
	$(RUN)
help:
	$(RUN)
