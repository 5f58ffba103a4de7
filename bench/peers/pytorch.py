"""PyTorch on the processor: `python3 pytorch.py THREADS`, speaking the protocol of protocol.mjs.

The model is that of model.mjs, on the parameter names of the released state dict.
"""
import json
import os
import sys
import time

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
os.environ["OMP_NUM_THREADS"] = str(THREADS)


def say(**answer):
    print(json.dumps(answer), flush=True)


try:
    import numpy
    import torch
    import torch.nn.functional as F
except ImportError as error:
    say(missing=str(error))
    sys.exit(0)

torch.set_num_threads(THREADS)
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "fixtures", "image.safetensors")
# Runs shorter than this are repeated.
SHORTEST_SECONDS = 0.0002


class Sizes:
    def __init__(self, geometry):
        g = geometry
        self.heads, self.depth, self.patch, self.batch = g["heads"], g["depth"], g["patch"], g["batch"]
        self.channels, self.side = g["channels"], g["side"]
        self.caption_tokens, self.caption_channels = g["captionTokens"], g["captionChannels"]
        _, self.rows, self.columns = g["window"]
        self.width = g["heads"] * g["headDim"]
        self.grid = self.side // self.patch
        self.tokens = self.grid * self.grid
        self.windows = (self.grid // self.rows) * (self.grid // self.columns)
        self.per_window = self.rows * self.columns


def parameter_shapes(s, model):
    shapes = {}

    def linear(name, out, inner):
        shapes[name + ".weight"], shapes[name + ".bias"] = (out, inner), (out,)

    shapes["pos_embed.proj.weight"] = (s.width, s.channels, s.patch, s.patch)
    shapes["pos_embed.proj.bias"] = (s.width,)
    linear("adaln_single.emb.timestep_embedder.linear_1", s.width, 256)
    linear("adaln_single.emb.timestep_embedder.linear_2", s.width, s.width)
    linear("adaln_single.linear", 6 * s.width, s.width)
    linear("caption_projection.linear_1", s.width, s.caption_channels)
    linear("caption_projection.linear_2", s.width, s.width)
    for i in range(s.depth):
        block = f"transformer_blocks.{i}."
        for name in ["attn1", "attn2"] + (["proxy_attn1", "pvisual_attn2", "attn3"] if model == "ptdit" else []):
            for part in ["to_q", "to_k", "to_v", "to_out.0"]:
                linear(block + name + "." + part, s.width, s.width)
        linear(block + "ff.net.0.proj", 4 * s.width, s.width)
        linear(block + "ff.net.2", s.width, 4 * s.width)
        shapes[block + "scale_shift_table"] = (6, s.width)
        if model == "ptdit":
            linear(block + "linear_1_visual", s.width, s.width)
            linear(block + "linear_2", s.width, s.width)
            shapes[block + "proxy_scale_shift_table"] = (3, s.width)
    shapes["scale_shift_table"] = (2, s.width)
    linear("proj_out", s.patch * s.patch * 2 * s.channels, s.width)
    return shapes


def positions(s):
    """[tokens, width]: a quarter for the frame, which is always 0, three eighths each for column and row."""
    def encoded(at, parts):
        angle = at[:, None] * 10000 ** (-torch.arange(parts // 2) / (parts // 2))
        return torch.cat([angle.sin(), angle.cos()], 1)

    token = torch.arange(s.tokens, dtype=torch.float32)
    quarter, rest = s.width // 4, 3 * s.width // 8
    return torch.cat([encoded(0 * token, quarter), encoded(token % s.grid, rest), encoded(token // s.grid, rest)], 1)


def shift_bias(s):
    """[windows, 1, per window, per window]: -10000 between tokens that were not neighbours before the shift."""
    def region(size):
        at = torch.arange(s.grid)
        return (at >= s.grid - size).int() + (at >= s.grid - size // 2).int() if size > 1 else 0 * at

    label = 3 * region(s.rows)[:, None] + region(s.columns)[None]
    label = label.reshape(s.grid // s.rows, s.rows, s.grid // s.columns, s.columns).transpose(1, 2).reshape(s.windows, -1)
    return torch.where(label[:, :, None] == label[:, None], 0.0, -10000.0)[:, None]


def predict(w, data, s, model):
    linear = lambda x, name: F.linear(x, w[name + ".weight"], w[name + ".bias"])
    norm = lambda x: F.layer_norm(x, x.shape[-1:], eps=1e-6)
    modulated = lambda x, scale, shift: norm(x) * (1 + scale) + shift
    gelu = lambda x: F.gelu(x, approximate="tanh")
    down, across = s.grid // s.rows, s.grid // s.columns

    def to_windows(x):
        x = x.reshape(s.batch, down, s.rows, across, s.columns, s.width).transpose(2, 3)
        return x.reshape(s.batch, s.windows, s.per_window, s.width)

    def from_windows(x):
        x = x.reshape(s.batch, down, across, s.rows, s.columns, x.shape[-1]).transpose(2, 3)
        return x.reshape(s.batch, s.grid, s.grid, x.shape[-1])

    def shifted(x, sign):
        return to_windows(from_windows(x).roll((sign * (s.rows // 2), sign * (s.columns // 2)), (1, 2)))

    def attention(name, x, keys=None, masked=False):
        keys = x if keys is None else keys
        heads = lambda y: y.reshape(*y.shape[:2], s.heads, -1).transpose(1, 2)
        q, k, v = heads(linear(x, name + ".to_q")), heads(linear(keys, name + ".to_k")), heads(linear(keys, name + ".to_v"))
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if masked:
            scores = (scores.reshape(s.batch, s.windows, *scores.shape[1:]) + data["bias"]).reshape(scores.shape)
        return linear((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape), name + ".to_out.0")

    x = F.conv2d(data["x"], w["pos_embed.proj.weight"], w["pos_embed.proj.bias"], stride=s.patch)
    x = x.flatten(2).transpose(1, 2) + data["positions"]
    embedder = "adaln_single.emb.timestep_embedder."
    conditioning = linear(F.silu(linear(data["time"], embedder + "linear_1")), embedder + "linear_2")
    six = linear(F.silu(conditioning), "adaln_single.linear").reshape(s.batch, 6, s.width)
    text = linear(gelu(linear(data["caption"], "caption_projection.linear_1")), "caption_projection.linear_2")
    proxies = model == "ptdit"
    groups, length = (s.windows, s.per_window) if proxies else (1, s.tokens)
    grouped = lambda y: y.reshape(s.batch, groups, length, s.width)
    flat = lambda y: y.reshape(s.batch, s.tokens, s.width)
    x = to_windows(x) if proxies else grouped(x)
    for i in range(s.depth):
        block = f"transformer_blocks.{i}."
        shift1, scale1, gate1, shift2, scale2, gate2 = (w[block + "scale_shift_table"] + six)[:, :, None, None].unbind(1)
        if proxies:
            means = x.mean(2)
            proxy = means + attention(block + "proxy_attn1", norm(means))
            seen = attention(block + "pvisual_attn2", norm(flat(x)), norm(proxy))
            x = x + grouped(linear(seen, block + "linear_1_visual"))
        own = attention(block + "attn1", modulated(x, scale1, shift1).reshape(-1, length, s.width))
        x = x + gate1 * grouped(own)
        if proxies:
            shift3, scale3, gate3 = (w[block + "proxy_scale_shift_table"] + six[:, :3])[:, :, None, None].unbind(1)
            moved = modulated(shifted(x, -1), scale3, shift3).reshape(-1, length, s.width)
            back = shifted(grouped(attention(block + "attn3", moved, masked=True)), 1)
            x = x + linear(gate3 * back, block + "linear_2")
        x = x + grouped(attention(block + "attn2", flat(x), text))
        hidden = gelu(linear(modulated(x, scale2, shift2), block + "ff.net.0.proj"))
        x = x + gate2 * linear(hidden, block + "ff.net.2")
    shift, scale = (w["scale_shift_table"] + conditioning[:, None])[:, :, None, None].unbind(1)
    y = linear(modulated(x, scale, shift), "proj_out")
    y = from_windows(y) if proxies else y.reshape(s.batch, s.grid, s.grid, -1)
    y = y.reshape(s.batch, s.grid, s.grid, s.patch, s.patch, -1).permute(0, 5, 1, 3, 2, 4)
    return y[:, : s.channels].reshape(s.batch, s.channels, s.side, s.side)


def time_features(t):
    angle = t[:, None] * 10000 ** (-torch.arange(128) / 128)
    return torch.cat([angle.cos(), angle.sin()], 1)


def loss_of(w, data, s, model):
    return F.mse_loss(predict(w, data, s, model), data["x0"] - data["noise"])


def tables(s):
    return {"positions": positions(s), "bias": shift_bias(s)}


def workload(what):
    s, model = Sizes(what["geometry"]), what["model"]
    torch.manual_seed(0)
    w = {}
    for name, shape in parameter_shapes(s, model).items():
        fan = numpy.prod(shape[1:]) if len(shape) > 1 else 2500
        w[name] = (torch.randn(shape) / fan ** 0.5).requires_grad_()
    picture = (s.batch, s.channels, s.side, s.side)
    data = {name: torch.randn(picture) for name in ["x", "x0", "noise"]}
    data["caption"] = torch.randn(s.batch, s.caption_tokens, s.caption_channels)
    data["time"] = time_features(1000 * torch.rand(s.batch))
    data.update(tables(s))
    if what["mode"] == "forward":
        def forward():
            with torch.no_grad():
                predict(w, data, s, model)
        return forward
    if what["mode"] != "train":
        return None
    optimizer = torch.optim.AdamW(w.values(), lr=1e-4, weight_decay=0.01, foreach=True)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss_of(w, data, s, model).backward()
        optimizer.step()
    return train


def prepare(what):
    if what["kind"] == "workload":
        return workload(what)
    if what["kind"] == "matmul":
        a, b = torch.randn(what["m"], what["k"]), torch.randn(what["k"], what["n"])
        return lambda: a @ b
    x = torch.randn(what["rows"], what["columns"])
    return (lambda: x.softmax(-1)) if what["kind"] == "softmax" else (lambda: F.layer_norm(x, x.shape[-1:], eps=1e-6))


def fixture():
    with open(FIXTURE, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header, content = json.loads(file.read(length)), file.read()
    config = json.loads(header.pop("__metadata__")["config"])
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        numbers = numpy.frombuffer(content[first:last], {"F32": numpy.float32, "I32": numpy.int32}[entry["dtype"]])
        tensors[name] = torch.from_numpy(numbers.reshape(entry["shape"]).copy())
    return config, tensors


def check():
    """The largest relative error of the loss and of every gradient; tiny gradients count as a thousandth of the largest."""
    config, tensors = fixture()
    batch, channels, _, side, _ = tensors["in.x_t"].shape
    _, caption_tokens, caption_channels = tensors["in.caption"].shape
    s = Sizes(dict(heads=config["num_heads"], headDim=config["head_dim"], depth=config["num_layers"], patch=config["patch_size"],
                   window=config["compress_ratios"], batch=batch, channels=channels, side=side,
                   captionTokens=caption_tokens, captionChannels=caption_channels))
    w = {name[2:]: value.requires_grad_() for name, value in tensors.items()
         if name.startswith("w.") and name != "w.pos_embed.pos_embed"}
    picture = lambda name: tensors["in." + name][:, :, 0]
    data = {"x": picture("x_t"), "x0": picture("x0"), "noise": picture("noise"), "caption": tensors["in.caption"],
            "time": time_features(tensors["in.t"]), **tables(s)}
    loss = loss_of(w, data, s, "ptdit")
    loss.backward()
    wanted = {name[2:]: value for name, value in tensors.items() if name.startswith("g.")}
    least = 1e-3 * max(value.abs().max() for value in wanted.values())
    errors = [(w[name].grad - value).abs().max() / max(value.abs().max(), least) for name, value in wanted.items()]
    errors.append((loss - tensors["out.loss"]).abs().max() / tensors["out.loss"].abs().max())
    return float(max(errors))


def main():
    say(ready=True, peer="PyTorch", version=torch.__version__, threads=torch.get_num_threads())
    run, repeats = None, 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "check" in request:
                say(check={"worst": check()})
            elif "prepare" in request:
                run, repeats = prepare(request["prepare"]), 1
                say(prepared=True) if run else say(unsupported="no " + request["prepare"].get("mode", "such case"))
            elif "run" in request:
                times = []
                for _ in range(request["run"]):
                    start = time.perf_counter()
                    for _ in range(repeats):
                        run()
                    seconds = time.perf_counter() - start
                    times.append(1000 * seconds / repeats)
                    if seconds < SHORTEST_SECONDS:
                        repeats *= 2
                say(times=times)
            else:
                break
        except (RuntimeError, KeyError, TypeError, ValueError, MemoryError) as error:
            say(unsupported=str(error).split("\n")[0])


main()
