// The words and shapes of the softphone, shared by the element (softphone.ts) and the SIP line (sip.ts, loaded only when there is an engine).

/** What the server tells about this seat's telephone. */
export interface Config {
  mode: "sip" | "simulated" | "none";
  extension: string;
  /** what the browser registers as: a plain telephone of the same seat has another */
  account: string;
  secret: string;
  websocket: string;
  realm: string;
  /** why there is no telephone, in words */
  why: string;
}

/** starting → connecting → ready ⇄ lost; the others are dead ends that say what to do */
export type LineState = "starting" | "connecting" | "ready" | "lost" | "refused" | "elsewhere" | "simulated" | "none";
export type Talk = "idle" | "ringing" | "talking";

export interface Events {
  line(state: LineState, why: string): void;
  /** `auto`: the agent asked for this call herself, so it is answered at once */
  ringing(auto: boolean): void;
  talking(): void;
  ended(): void;
  /** something the agent must know while the call goes on */
  trouble(why: string): void;
}

/** One registered telephone with at most one call. */
export interface Line {
  start(): void;
  /** Leaves without ending a call: whoever takes the seat over, or nobody, is for the server to decide. */
  stop(): void;
  answer(voice: MediaStream): void;
  hangUp(): void;
  mute(on: boolean): void;
  press(digits: string): void;
  /** seconds to the last sign of the engine, null when nobody knows */
  readonly calling: boolean;
}

export type Connect = (config: Config, events: Events) => Line;

export const LINE_WORDS: Record<LineState, [icon: string, word: string]> = {
  starting: ["refresh", "话机准备中"],
  connecting: ["refresh", "话机连接中"],
  ready: ["headset", "话机就绪"],
  lost: ["alert", "话机断开，正在重连"],
  refused: ["alert", "话机登记被拒"],
  elsewhere: ["lock", "话机在另一处"],
  simulated: ["alert", "模拟话务"],
  none: ["mute", "没有话机"],
};

/** What a click on the telephone's state says. */
export const LINE_HELP: Record<LineState, string> = {
  starting: "正在取这一席的话机设置。",
  connecting: "正在向话务引擎登记。一般不到一秒；久了请告诉值班长。",
  ready: "已登记，可以振铃。",
  lost: "与话务引擎的连接断了，正在自己重连，不用做什么。这期间来电会给别的座席。超过一分钟请告诉值班长，改用备用话机。",
  refused: "话务引擎不认这一席的密码。请系统管理员在“线路”里重发这一席的密码，再刷新本页。",
  elsewhere: "这一席的话机开在另一个窗口或另一台电脑上。一席只能有一部话机，否则来电会响错地方。",
  simulated: "没有接话务引擎，电话都是模拟的，不能接真实来电。",
  none: "您还没有分机。请系统管理员在“线路”里给您分一个，再刷新本页。",
};
