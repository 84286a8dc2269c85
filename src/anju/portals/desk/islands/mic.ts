// The microphone check: a level meter, the chosen device, and what to do when the browser refuses. Nobody is ready unheard.

const CHOSEN = "anju_mic";
const LOUD = 0.02; // RMS of full scale: speech at arm's length; a closed microphone stays below 0.003
const HEARD_MS = 300;
const QUIET_MS = 8000;

export type MicState = "unknown" | "asking" | "listening" | "quiet" | "ok" | "refused" | "missing";

const SAYS: Record<MicState, string> = {
  unknown: "",
  asking: "浏览器在问能不能用麦克风，请点“允许”。",
  listening: "说一句话，比如“一二三”。",
  quiet: "没有听到声音。看话筒开关、静音键有没有关着，或换一个设备。",
  ok: "听到您的声音了。",
  refused: "浏览器不让用麦克风。点地址栏左边的图标，把“麦克风”改成允许，再点重试。",
  missing: "没有找到麦克风。插上耳麦，再点重试。",
};

/** The voice of this seat from the chosen device; throws what the browser says. */
export function voice(): Promise<MediaStream> {
  const device = localStorage.getItem(CHOSEN);
  return navigator.mediaDevices.getUserMedia({
    audio: { ...(device ? { deviceId: { ideal: device } } : {}), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
}

export function silence(stream: MediaStream | null): void {
  stream?.getTracks().forEach((track) => track.stop());
}

export function refusal(error: unknown): MicState {
  const name = error instanceof DOMException ? error.name : "";
  return name === "NotFoundError" || name === "OverconstrainedError" ? "missing" : "refused";
}

/** The panel of the check. `done(device)` when the agent was heard and says so. */
export class MicCheck {
  readonly box = document.createElement("div");
  state: MicState = "unknown";
  private stream: MediaStream | null = null;
  private audio: AudioContext | undefined;
  private frame = 0;
  private heard = 0;
  private begun = 0;

  constructor(
    private done: (device: string) => void,
    private changed: (state: MicState) => void,
  ) {
    this.box.className = "mic";
    this.box.innerHTML = `
      <label class="mic__device">麦克风 <select class="select" aria-label="麦克风"></select></label>
      <div class="mic__meter" role="meter" aria-label="声音大小" aria-valuemin="0" aria-valuemax="100"><i></i></div>
      <p class="mic__say" role="status"></p>
      <div class="row"><button class="btn" type="button" data-size="s" data-again>重试</button><button class="btn push" type="button" data-size="s" data-look="primary" data-done disabled>听得到，就绪</button></div>`;
    this.find("[data-again]").addEventListener("click", () => void this.start());
    this.find("[data-done]").addEventListener("click", () => this.finish());
    this.select.addEventListener("change", () => {
      localStorage.setItem(CHOSEN, this.select.value);
      void this.start();
    });
  }

  async start(): Promise<void> {
    this.stop();
    this.show("asking");
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotAllowedError");
      this.stream = await voice();
    } catch (error) {
      this.show(refusal(error));
      return;
    }
    await this.list();
    this.audio = new AudioContext();
    const ear = this.audio.createAnalyser();
    ear.fftSize = 1024;
    this.audio.createMediaStreamSource(this.stream).connect(ear);
    this.heard = 0;
    this.begun = performance.now();
    this.show("listening");
    const room = new Float32Array(ear.fftSize);
    let last = performance.now();
    const look = (): void => {
      ear.getFloatTimeDomainData(room);
      const level = Math.sqrt(room.reduce((sum, x) => sum + x * x, 0) / room.length);
      const now = performance.now();
      if (level > LOUD) this.heard += now - last;
      last = now;
      this.meter(level);
      if (this.heard >= HEARD_MS) this.show("ok");
      else if (now - this.begun > QUIET_MS) this.show("quiet");
      this.frame = requestAnimationFrame(look);
    };
    look();
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    silence(this.stream);
    this.stream = null;
    void this.audio?.close().catch(() => undefined);
    this.audio = undefined;
  }

  private finish(): void {
    const label = this.stream?.getAudioTracks()[0]?.label ?? "";
    this.stop();
    this.done(label);
  }

  private async list(): Promise<void> {
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "audioinput");
    const now = this.stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
    this.select.replaceChildren(...devices.map((one, n) => new Option(one.label || `麦克风 ${n + 1}`, one.deviceId, false, one.deviceId === now)));
  }

  private meter(level: number): void {
    const percent = Math.min(100, Math.round(Math.sqrt(level) * 160));
    const meter = this.find(".mic__meter");
    meter.setAttribute("aria-valuenow", String(percent));
    meter.style.setProperty("--level", `${percent}%`);
  }

  private show(state: MicState): void {
    if (this.state === state) return;
    this.state = state;
    this.box.dataset["state"] = state;
    this.find(".mic__say").textContent = SAYS[state];
    (this.find("[data-done]") as HTMLButtonElement).disabled = state !== "ok";
    this.changed(state);
  }

  private get select(): HTMLSelectElement {
    return this.find("select") as HTMLSelectElement;
  }

  private find(selector: string): HTMLElement {
    return this.box.querySelector(selector) as HTMLElement;
  }
}
