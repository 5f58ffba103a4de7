import { named } from "../autograd/names.js";
import { concat, slice } from "../autograd/ops/copy.js";
import { greater, mul } from "../autograd/ops/elementwise.js";
import { randomNormal, randomUniform } from "../autograd/ops/random.js";
import { mean } from "../autograd/ops/reduce.js";
import { input, parameter, scope, type Tensor } from "../autograd/tensor.js";
import { checkDevice, type Device } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { ConfigError } from "../base/errors.js";
import { callable, checkOptions, checkValue, needed, object, type Rules, whole } from "../base/options.js";
import { Turns } from "../base/turns.js";
import { augment } from "../data/augment.js";
import { batchIndices } from "../data/batches.js";
import { CaptionTable, everyCaption } from "../data/captionTable.js";
import { type Dataset, gatherSamples } from "../data/dataset.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { loadState, readState, type State } from "../nn/module.js";
import { accumulatedGradients, allFinite, clipGradients, globalNorm, type OptimizerStep } from "../nn/optimizers/index.js";
import { type Schedule, warmupCosine } from "../nn/schedules.js";
import { readParameter, releaseParameters, resetParameter } from "../program/parameters.js";
import { compile, type Program } from "../program/program.js";
import { checkData, checkTokenizer } from "./checks.js";
import { type EncodedCaptions, encodeAll, gatherCaptions } from "./encodedCaptions.js";
import { drawTimes, type FlowConfig, flowConfig } from "./flow.js";
import { flowLosses } from "./losses.js";
import { optimizerStep } from "./optimizer.js";
import { paths } from "./paths/index.js";
import { Pipeline, type PipelineParts } from "./pipeline.js";
import { horizonPart } from "./readCheckpoint.js";
import { type SamplingConfig, samplingConfig } from "./sampling.js";
import type { StepReport } from "./stepReport.js";
import { type StepInputs, StepsInFlight, type TrainingInput, type TrainingOutput } from "./stepsInFlight.js";
import { checkTraining, type TrainingConfig } from "./trainingConfig.js";

/** What a trainer trains, and how. */
export interface TrainerOptions extends Omit<PipelineParts, "captioner"> {
  readonly flow: FlowConfig;
  readonly training: TrainingConfig;
  /** How pictures of the model are drawn where nobody says otherwise. */
  readonly sampling?: Partial<SamplingConfig>;
  /** Whether a parameter learns, by its name in the model, `model.blocks.0.mlp.first.weight` or `text.words.weight`. Without it all do.
   *  The others have no gradient and no place in the optimiser's state, and stay as they are to the last bit. */
  readonly train?: (name: string) => boolean;
}

const optionRules: Rules<TrainerOptions> = {
  model: needed(object),
  flow: needed(object),
  training: needed(object),
  sampling: object,
  train: callable,
  encoder: object,
  codec: object,
};

/**
 * Trains a text-to-picture model. One step (noise, forward, backward, clip, optimiser, average of the weights) is one program; all
 * its random numbers are functions of the seed and the step, so a resumed run equals an uninterrupted one bit for bit.
 */
export class Trainer {
  readonly model: Pipeline;
  /** The averaged weights, as a pipeline of its own. */
  readonly average: Pipeline;
  /** Averages of other horizons, by these. */
  readonly horizons: ReadonlyMap<number, Pipeline>;
  private schedule: Schedule | undefined;
  private readonly optimizer: OptimizerStep;
  private readonly program: Program<TrainingInput, TrainingOutput>;
  private readonly steps: StepsInFlight;
  /** [] Where steps may be in flight: 1, and 0 from a step that was not finite until that is known, so that none after it changes the
   *  weights. It is no part of what is saved. */
  private readonly sound: Tensor | undefined;
  private readonly captions: CaptionTable;
  private readonly encoded: EncodedCaptions;
  /** What is trained, and how. */
  readonly options: TrainerOptions;
  private readonly turns: Turns;

  /** @throws ConfigError when an option is unknown, missing or against its rule, or the data set does not fit the model
   *  @throws DeviceError when the step's program does not fit the device */
  constructor(
    readonly device: Device,
    readonly data: Dataset,
    readonly tokenizer: Tokenizer,
    options: TrainerOptions,
  ) {
    checkDevice("train", device);
    checkTokenizer("train", tokenizer);
    checkOptions("train", options, optionRules);
    const { training, model, encoder, codec } = options;
    checkTraining(training);
    this.options = { ...options, flow: flowConfig(options.flow), sampling: samplingConfig(options.sampling) };
    const parts = { model, captioner: tokenizer, ...(encoder && { encoder }), ...(codec && { codec }) };
    this.model = new Pipeline(parts, training.seed);
    this.average = new Pipeline(parts, training.seed);
    this.horizons = new Map(training.horizons.map((horizon) => [horizon, new Pipeline(parts, training.seed)]));
    checkData("train", data, this.model);
    this.captions = new CaptionTable(data);
    this.encoded = encodeAll(tokenizer, everyCaption(data));
    if (device.target.runsInFlight > 1) this.sound = named("sound", parameter([], [1]));
    const { program, optimizer } = this.build();
    this.program = program;
    this.optimizer = optimizer;
    this.steps = new StepsInFlight(
      program,
      (step) => this.batch(step),
      () => this.sound && resetParameter(device, this.sound),
    );
    this.turns = new Turns("trainer", "Make a new one, and restore a saved state.", device.target.runsInFlight);
    for (const [name, x] of this.everything()) named(name, x);
  }

  /** Steps taken. While some are in flight, weights on the device may be those of a later step: `state` waits for all of them. */
  get step(): number {
    return this.steps.step;
  }

  /** The program of one step, for those who count or look at it. */
  get stepProgram(): Program<TrainingInput, TrainingOutput> {
    return this.program;
  }

  /** Bytes the step's program takes. */
  get bytes() {
    return this.program.bytes;
  }

  /** Sets how many steps the learning rate's course is laid out for; without end it never falls.
   *  @throws ConfigError when it is not a whole number of at least 1, or Infinity */
  plan(steps: number): void {
    const { lr, warmup, hold, floor } = this.options.training;
    this.schedule = warmupCosine({ lr, warmup, steps, hold, floor });
  }

  /** Takes one step. Calls that come while others are under way wait for their turn. On devices that compute beside the host some may
   *  be in flight together (`Target.runsInFlight`): a step is computed while those before it are waited for. It is the step that it would
   *  be alone, and what fails one fails those in flight after it.
   *  @throws NonFiniteError when the loss or the gradient is not finite; the weights are unchanged then
   *  @throws DeviceError when the trainer is disposed of */
  next(): Promise<StepReport> {
    return this.turns.share(() => this.steps.next());
  }

  /** Everything that must be kept to go on: weights, their average, the optimiser's state. All of one step, whatever comes next.
   *  @throws DeviceError when the trainer is disposed of */
  async state(): Promise<Map<string, { shape: readonly number[]; data: HostArray }>> {
    return this.turns.take(() => readState(this.device, this.everything()));
  }

  /** As `state`, but each entry is read when it is asked for, so that a large run is never held twice: take no step meanwhile. */
  stateSource(): Map<string, { shape: readonly number[]; data: () => Promise<HostArray> }> {
    const source = (tensor: Tensor) => ({ shape: tensor.shape, data: () => readParameter(this.device, tensor) });
    return new Map([...this.everything()].map(([name, tensor]) => [name, source(tensor)]));
  }

  /** Goes on from a saved state.
   *  @throws FormatError when it belongs to another model; nothing is changed then
   *  @throws DeviceError when the trainer is disposed of, or a step is under way */
  restore(state: State, step: number): void {
    this.turns.checkIdle("restore");
    checkValue("restore", "step", step, whole(0));
    loadState(this.everything(), state, this.device);
    this.steps.restart(step);
  }

  /** Gives all memory back, weights too, as soon as the call under way is done; those that wait are refused. Again it does nothing. */
  dispose(): void {
    this.turns.dispose(() => {
      this.program.dispose();
      releaseParameters(this.device, [...this.everything().values(), ...(this.sound ? [this.sound] : [])]);
    });
  }

  private everything(): Map<string, Tensor> {
    const named = (prefix: string, tensors: ReadonlyMap<string, Tensor>) =>
      [...tensors].map(([name, t]) => [`${prefix}.${name}`, t] as const);
    return new Map([
      ...named("weights", this.model.parameters()),
      ...named("average", this.average.parameters()),
      ...[...this.horizons].flatMap(([horizon, own]) => named(horizonPart(horizon), own.parameters())),
      ...named("optimizer", this.optimizer.state),
    ]);
  }

  private build() {
    const { data, tokenizer } = this;
    const { flow, training } = this.options;
    const { batch, accumulate, checkpointing } = training;
    const samples = input([batch, ...data.shape]);
    const latents = scope("codec", () => this.model.codec.encode(samples)); // [B, C, F, H, W]
    const ids = input([batch, tokenizer.length], "i32");
    const keep = input([batch, tokenizer.length]);
    const lr = input([]);
    const random = (stream: number) => ({ seed: training.seed, stream });

    const noise = randomNormal(latents.shape, random(1));
    const times = drawTimes(batch, flow, { ...random(2), stratified: training.stratified }); // [B]
    const drop = greater(training.captionDropout, randomUniform([batch], random(3))); // [B]
    const part = batch / accumulate;
    const losses: Tensor[] = [];
    const lossOf = (index: number) => () => {
      const own = (x: Tensor) => slice(x, 0, index * part, (index + 1) * part);
      const [x0, eps, u] = [own(latents), own(noise), own(times)];
      const text = this.model.text.dropped(this.model.text.forward(own(ids), own(keep)), own(drop));
      const predict = (x: Tensor, t: Tensor) => this.model.forward(x, t, text, { checkpointing });
      const each = flowLosses(predict, { x0, noise: eps, u }, paths[flow.prediction], { huber: training.huber }); // [B]
      losses.push(each);
      return scope("loss", () => mean(each));
    };
    const parameters = this.model.parameters(this.options.train);
    if (parameters.size === 0)
      throw new ConfigError(
        `train: "train" leaves none of ${this.model.parameters().size} parameters to learn. Let it be true for some.`,
      );
    const { loss, gradients } = accumulatedGradients(
      Array.from({ length: accumulate }, (_, i) => lossOf(i)),
      parameters,
    );
    const norm = scope("clip", () => globalNorm(gradients));
    const { sound } = this;
    const guard = sound ? mul(sound, allFinite(loss, norm)) : allFinite(loss, norm); // []
    const clipped = clipGradients(gradients, norm, training.clip);
    const average = [
      { weights: this.average.parameters(), decay: training.emaDecay },
      ...[...this.horizons].map(([horizon, own]) => ({ weights: own.parameters(), horizon })),
    ];
    const optimizer = optimizerStep(clipped, training, { lr, guard, average });
    const program = compile(this.device, {
      inputs: { samples, ids, keep, lr },
      outputs: { loss, norm, times, losses: concat(losses, 0) },
      updates: sound ? [...optimizer.updates, [sound, guard]] : optimizer.updates,
    });
    return { program, optimizer };
  }

  private async batch(step: number): Promise<StepInputs> {
    if (!this.schedule) throw new ConfigError("train: call plan(steps) before the first step.");
    const { data, captions, encoded, options } = this;
    const { batch, seed } = options.training;
    const indices = data.draw?.(batch, seed, step) ?? batchIndices(data.count, batch, seed, step);
    const samples = await gatherSamples(data, indices);
    const mains = Array.from(indices, (index) => data.captions[index]);
    augment(samples, data.shape, mains, options.training, { seed, step });
    return {
      samples,
      ...gatherCaptions(encoded, captions.draw(indices, seed, step), this.tokenizer.length),
      lr: this.schedule(step),
    };
  }
}
