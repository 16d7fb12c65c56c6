#!/usr/bin/env python3
"""A trainer in plain Python: `acai run SWEEP.yaml --trainer examples/trainer.py`; docs/trainer.md has the protocol.

It trains a linear autoencoder, whose code is one number, on points of the plane that lie near a line.
"""
import json, math, os, queue, random, sys, threading

def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)

def points(count, scatter, key):
    """The same key brings the same points, so a run that is resumed sees what it would have seen."""
    gauss = random.Random(key).gauss
    along = [gauss(0, 1) for _ in range(count)]
    return [(0.8 * t + gauss(0, scatter), 0.6 * t + gauss(0, scatter)) for t in along]

class Run:
    def __init__(self, member):
        self.run, self.seed, self.folder = member["run"], member["seed"], member["folder"]
        config, own = member["config"], member.get("own", {})
        self.scatter = own.get("scatter", 0.1)
        self.lr, self.batch, self.step, self.weights = config["lr"], config["batch"], 0, [0.1, 0.0]
        kimgs = config["total_kimg"], config["eval_kimg"], member["checkpoint_kimg"]
        self.total, self.eval_every, self.save_every = (max(1, math.ceil(k * 1024 / self.batch)) for k in kimgs)
        if member["resume"]:
            with open(member["resume"]) as file:
                self.step, self.weights = json.load(file)

    def say(self, event, **fields):
        say(event, run=self.run, step=self.step, **fields)

    def losses(self, points):
        """Squared error and gradient at each point: x is encoded as c = w·x, and c decoded as c·w."""
        (u, v) = self.weights
        for x, y in points:
            code = u * x + v * y
            dx, dy = code * u - x, code * v - y
            back = dx * u + dy * v
            yield (dx * dx + dy * dy) / 2, dx * code + back * x, dy * code + back * y

    def advance(self):
        """Takes a step and does what is due after it. Answers whether the run goes on."""
        if self.step < self.total:
            batch = points(self.batch, self.scatter, f"{self.seed} {self.step}")
            loss, *slopes = (sum(column) / self.batch for column in zip(*self.losses(batch)))
            if not math.isfinite(loss):
                self.say("failed", kind="diverged", message=f"the loss is {loss}: lr is too large")
                return False
            self.weights = [w - self.lr * slope for w, slope in zip(self.weights, slopes)]
            self.step += 1
            last = self.step == self.total
            if last or self.step % 50 == 0:
                self.say("metric", values={"train/loss": loss})
            if last or self.step % self.eval_every == 0:
                test = [loss for loss, *_ in self.losses(points(500, self.scatter, "test"))]
                angle = abs(math.degrees(math.atan2(self.weights[1], self.weights[0]) - math.atan2(0.6, 0.8)))
                values = {"eval/reconstruction_mse": sum(test) / len(test), "eval/angle": angle}
                self.say("evaluated", values=values)
                self.draw()
            if last or self.step % self.save_every == 0:
                self.save()
        if self.step == self.total:
            self.say("finished")
        return self.step < self.total

    def save(self):
        self.write("checkpoint", "checkpoint", "json", json.dumps([self.step, self.weights]))

    def draw(self):
        x, y = (9 * w for w in self.weights)
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="0.03"/>' for x, y in points(200, self.scatter, "test"))
        line = f'<line x1="{-x}" y1="{-y}" x2="{x}" y2="{y}" stroke="red" stroke-width="0.03"/>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-3 -3 6 6">{dots}{line}</svg>'
        self.write("artifact", "line", "svg", svg)

    def write(self, event, name, extension, text):
        path = os.path.join(self.folder, f"{name}-{self.step:09}.{extension}")
        with open(path + ".tmp", "w") as file:
            file.write(text)
        os.replace(path + ".tmp", path)  # The file has its name only when it is whole.
        self.say(event, path=path)

def start(member):
    try:
        return [Run(member)]
    except (ValueError, TypeError) as error:
        say("failed", run=member["run"], step=0, kind="checkpoint", message=f"cannot resume: {error}")
        return []

def read(commands):
    for line in sys.stdin:
        commands.put(json.loads(line))
    os._exit(1)  # The end of input means that the worker is gone.

commands = queue.Queue()
threading.Thread(target=read, args=[commands], daemon=True).start()
say("ready", version="1", device="cpu", threads=1, libtorch="none")
runs = [run for member in commands.get().get("group", []) for run in start(member)]
while runs:
    for run in runs:
        run.say("progress")
    for _ in range(100):
        runs = [run for run in runs if run.advance()]
    while not commands.empty():
        command = commands.get()
        meant = [run for run in runs if command.get("run", run.run) == run.run]
        for run in meant:
            run.save()
            if command["command"] in ("stop", "shutdown"):
                run.say("stopped")
                runs.remove(run)
