/** The quick start's emoji, by caption: everyday things that nobody confuses at 32 pixels. */
export const emoji64: readonly string[] = [
  ...["red apple", "banana", "grapes", "strawberry", "watermelon", "pineapple", "carrot", "broccoli"],
  ...["pizza", "hamburger", "doughnut", "birthday cake", "soft ice cream", "eggplant", "cooking", "cheese wedge"],
  ...["dog face", "cat face", "panda", "lion", "frog", "pig face", "monkey face", "fox"],
  ...["octopus", "tropical fish", "spouting whale", "turtle", "butterfly", "lady beetle", "penguin", "owl"],
  ...["rose", "sunflower", "cactus", "palm tree", "evergreen tree", "mushroom", "maple leaf", "four leaf clover"],
  ...["crescent moon", "star", "rainbow", "fire", "high voltage", "alarm clock", "umbrella", "volcano"],
  ...["automobile", "tractor", "airplane", "rocket", "sailboat", "locomotive", "house", "tent"],
  ...["red heart", "ghost", "robot", "soccer ball", "guitar", "balloon", "crown", "key"],
];
