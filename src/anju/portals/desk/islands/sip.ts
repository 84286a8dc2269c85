// The SIP line: JsSIP over WebSocket. A bundle of its own, loaded only when an engine is there.
//
// Measured in the trial: JsSIP finds the engine again by itself after a restart; SIP.js does not. `ready()` 300 ms after the
// first ICE candidate, because gathering may hang on a second network card; session timers off, because the engine's
// refresh would end a call whose WebSocket is just being rebuilt.
import JsSIP from "jssip";
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent } from "jssip/lib/UA";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { Config, Connect, Events, Line } from "./phone";

const REGISTER_SECONDS = 60;
const RETRY_SECONDS: [least: number, most: number] = [1, 4];
const REACH_PATIENCE = 4000; // ms: an engine that is just starting takes a connection and answers nothing for half a minute
const ICE_PATIENCE = 300; // ms
const RENEW_AFTER = 800; // ms: let the registration go first

/** JsSIP's WebSocket, which waits for ever, with a way to give up. */
class Cable extends JsSIP.WebSocketInterface {
  drop(): void {
    (this as unknown as { _ws: WebSocket | null })._ws?.close();
  }
}

class SipLine implements Line {
  private ua: InstanceType<typeof JsSIP.UA>;
  private session: RTCSession | null = null;
  private sound = new Audio();
  private cut = false;
  private cable: Cable;
  private patience: number | undefined;
  private over = false; // stopped: what it still hears of its own leaving is no news of the telephone

  constructor(
    config: Config,
    private events: Events,
  ) {
    const tell: Events["line"] = (state, why) => {
      if (!this.over) events.line(state, why);
    };
    this.sound.autoplay = true;
    this.cable = new Cable(config.websocket);
    this.ua = new JsSIP.UA({
      sockets: [this.cable],
      uri: `sip:${config.account}@${config.realm}`,
      password: config.secret,
      register_expires: REGISTER_SECONDS,
      connection_recovery_min_interval: RETRY_SECONDS[0],
      connection_recovery_max_interval: RETRY_SECONDS[1],
      session_timers: false,
      user_agent: "Anju",
    });
    this.ua.on("connecting", ({ attempts }) => {
      window.clearTimeout(this.patience);
      this.patience = window.setTimeout(() => this.cable.drop(), REACH_PATIENCE);
      tell(attempts > 1 || this.cut ? "lost" : "connecting", "");
    });
    this.ua.on("disconnected", () => {
      this.cut = true;
      tell("lost", "");
    });
    this.ua.on("registered", () => {
      window.clearTimeout(this.patience);
      tell("ready", "");
      if (this.cut && this.session?.isEstablished()) this.renew(this.session);
      this.cut = false;
    });
    this.ua.on("unregistered", () => tell(this.ua.isConnected() ? "connecting" : "lost", ""));
    this.ua.on("registrationFailed", ({ response, cause }) => {
      const code = response?.status_code;
      if (code === 401 || code === 403 || code === 404) tell("refused", `${code}`);
      else {
        tell("lost", cause ?? "");
        window.setTimeout(() => !this.over && this.ua.isConnected() && this.ua.register(), 2000);
      }
    });
    this.ua.on("newRTCSession", (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => this.offered(event));
  }

  get calling(): boolean {
    return this.session !== null;
  }

  start(): void {
    this.ua.start();
  }

  stop(): void {
    this.over = true;
    window.clearTimeout(this.patience);
    this.ua.unregister();
    this.ua.stop();
  }

  answer(voice: MediaStream): void {
    this.session?.answer({ mediaStream: voice, pcConfig: { iceServers: [] } });
  }

  hangUp(): void {
    if (this.session && !this.session.isEnded()) this.session.terminate();
  }

  mute(on: boolean): void {
    if (on) this.session?.mute({ audio: true });
    else this.session?.unmute({ audio: true });
  }

  press(digits: string): void {
    this.session?.sendDTMF(digits);
  }

  private offered({ session, request, originator }: IncomingRTCSessionEvent | OutgoingRTCSessionEvent): void {
    if ((originator as string) !== "remote") return;
    if (this.session) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.session = session;
    let patience: number | undefined;
    session.on("icecandidate", ({ ready }) => {
      patience ??= window.setTimeout(ready, ICE_PATIENCE);
    });
    session.on("peerconnection", ({ peerconnection }) => this.listen(peerconnection));
    session.on("accepted", () => this.events.talking());
    const over = (): void => {
      if (this.session !== session) return;
      this.session = null;
      this.sound.srcObject = null;
      this.events.ended();
    };
    session.on("ended", over);
    session.on("failed", over);
    const auto = "getHeader" in request && request.getHeader("X-Anju-Answer") === "auto";
    this.events.ringing(auto);
  }

  private listen(peer: RTCPeerConnection): void {
    peer.addEventListener("track", ({ streams, track }) => {
      this.sound.srcObject = streams[0] ?? new MediaStream([track]);
      this.sound.play().catch(() => this.events.trouble("浏览器不让放声音：点一下页面任何地方"));
    });
    document.addEventListener("pointerdown", () => void this.sound.play().catch(() => undefined), { once: true });
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "failed") this.events.trouble("听不到声音：网络断了，正在恢复");
      if (peer.connectionState === "connected") this.events.trouble("");
    });
  }

  /** The engine still answers into the old WebSocket: a re-INVITE over the new one tells it where this call lives now. */
  private renew(session: RTCSession): void {
    window.setTimeout(() => {
      if (this.session === session && session.isEstablished()) session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
    }, RENEW_AFTER);
  }
}

export const connect: Connect = (config, events) => new SipLine(config, events);
