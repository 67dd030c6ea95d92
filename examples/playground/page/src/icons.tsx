import type { JSX } from "preact";

export const Icon = ({ d, size = 18 }: { d: string; size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d={d} />
  </svg>
);

export const glyph = {
  undo: "M7 5L4 8l3 3M4.500 8H12a4 4 0 0 1 0 8H8",
  redo: "M13 5l3 3-3 3M15.500 8H8a4 4 0 0 0 0 8h4",
  plus: "M10 4.500v11M4.500 10h11",
  minus: "M4.500 10h11",
  close: "M5 5l10 10M15 5L5 15",
  trash: "M4 6h12M8 6V4h4v2M5.500 6l.8 10h7.400l.8-10M8.500 9v4.500M11.500 9v4.500",
  back: "M12 4l-6 6 6 6",
  send: "M4 10l12-6-4 12-2.500-4.500z",
  clip: "M14 8l-5 5a2 2 0 0 1-3-3l6-6a3 3 0 0 1 4.500 4L10 14.500",
  share: "M7 11l6-3.500M7 9l6 3.500M5 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM15 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM15 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  gear: "M10 7.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM10 3v2M10 15v2M3 10h2M15 10h2M5 5l1.500 1.500M13.500 13.500L15 15M15 5l-1.500 1.500M6.500 13.500L5 15",
  down: "M10 4v9M6 9.500l4 4 4-4M4 16.500h12",
  up: "M10 14V5M6 8.500l4-4 4 4M4 16.500h12",
  tidy: "M4 4h5v4H4zM11 12h5v4h-5zM4 12h5v4H4zM6.500 8v4M9 6h4.500v6",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  sun: "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M15.300 4.700l-1 1M5.700 14.300l-1 1",
  moon: "M15.500 12A6.500 6.500 0 0 1 8 4.500 6.500 6.500 0 1 0 15.500 12z",
  check: "M4.500 10.500l3.500 3.500 7.500-8",
  warn: "M10 4l7 12H3zM10 8.500v3.500M10 14v.1",
  error: "M10 3.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM10 6.500v4M10 13v.1",
  talk: "M4 5h12v8H9l-3 3v-3H4z",
  sliders: "M4 6h8M15 6h1M4 14h2M9 14h7M12 4v4M7 12v4",
  flame: "M10 3c1 3 4.500 4 4.500 8a4.500 4.500 0 0 1-9 0c0-1.500.5-2.500 1.500-3.500.3 1.300 1 2 2 2C9.500 7.500 9 5 10 3z",
  record: "M10 4.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  library: "M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM13.500 11v5M11 13.500h5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  image: "M4 5h12v10H4zM4 13l3.500-3.500 3 3 2-2L16 14M13 8h.01",
  person: "M10 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM4.500 16a5.500 5.500 0 0 1 11 0",
  pin: "M10 17s5-4.500 5-8.500a5 5 0 0 0-10 0C5 12.500 10 17 10 17zM10 7a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3z",
  restart: "M5 8a5.500 5.500 0 1 1-.5 4M4.500 4.500V8H8",
  copy: "M7 7h9v9H7zM13 7V4H4v9h3",
  code: "M7 6l-4 4 4 4M13 6l4 4-4 4",
  versions: "M10 4l6 3-6 3-6-3zM4 10l6 3 6-3M4 13l6 3 6-3",
  live: "M10 8.500a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3zM6.500 13.500a5 5 0 0 1 0-7M13.500 6.500a5 5 0 0 1 0 7M4.300 15.700a8 8 0 0 1 0-11.400M15.700 4.300a8 8 0 0 1 0 11.400",
};

type ButtonProps = JSX.IntrinsicElements["button"] & { icon?: string; label?: string; tone?: string };

export function Button({ icon, label, tone = "", class: extra = "", children, ...rest }: ButtonProps & { class?: string }) {
  return (
    <button type="button" class={`button ${tone} ${children || !icon ? "" : "round"} ${extra}`} aria-label={label} title={label} {...rest}>
      {icon && <Icon d={icon} />}
      {children}
    </button>
  );
}
