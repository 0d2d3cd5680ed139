from bench.simulation.clock import Clock, Gate, Steps


def test_processes_go_on_in_the_order_of_their_times() -> None:
    clock, seen = Clock(), []

    def sleeper(name: str, seconds: float) -> Steps:
        yield seconds
        seen.append((name, clock.now - begun))

    begun = clock.now
    clock.begin(sleeper("late", 20))
    clock.begin(sleeper("early", 5), after=1)
    clock.run()
    assert seen == [("early", 6), ("late", 20)]


def test_who_waits_at_a_gate_goes_on_when_it_opens() -> None:
    clock, gate, seen = Clock(), Gate(), []

    def waiter() -> Steps:
        yield gate
        seen.append(clock.now - begun)

    def opener() -> Steps:
        yield 7
        clock.open(gate)

    begun = clock.now
    clock.begin(waiter())
    clock.begin(opener())
    clock.begin(waiter(), after=9)
    clock.run()
    assert seen == [7, 9]


def test_a_process_that_is_stopped_does_nothing_more() -> None:
    clock = Clock()
    ended: list[object] = []

    def sleeper() -> Steps:
        yield 1

    process = clock.begin(sleeper(), ended.append)
    process.stop()
    clock.run()
    assert ended == []
